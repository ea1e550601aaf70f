-- Health of a TrainingRun, from its conditions, which also follow kstatus:
-- suspended: Suspended; succeeded: Healthy; failed, or unable to start (both are stalled): Degraded; all else: Progressing.

local function progressing(message)
  return { status = "Progressing", message = message }
end

local status = obj.status
if status == nil or status.conditions == nil then
  return progressing("Waiting for the operator")
end
if obj.metadata.generation ~= nil and status.observedGeneration ~= obj.metadata.generation then
  return progressing("Waiting for the operator to see the last change")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type or ""] = condition
end

local function is(kind, value)
  return conditions[kind] ~= nil and conditions[kind].status == value
end

local function because(kind)
  local reason = conditions[kind].reason or kind
  local message = conditions[kind].message
  if message == nil or message == "" then
    return reason
  end
  return reason .. ": " .. message
end

if is("Succeeded", "True") then
  return { status = "Healthy", message = because("Succeeded") }
end
if is("Stalled", "True") then
  return { status = "Degraded", message = because("Stalled") }
end
if is("Suspended", "True") then
  return { status = "Suspended", message = because("Suspended") }
end
if is("Reconciling", "True") then
  return progressing(because("Reconciling"))
end
return progressing("Waiting for the operator")
