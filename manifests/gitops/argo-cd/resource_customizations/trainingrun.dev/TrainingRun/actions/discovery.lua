-- What has not ended can be suspended. Rerunning cannot be chosen while the operator has not yet seen the last request: a
-- second one would throw away what the first has started.

local spec = obj.spec or {}
local status = obj.status or {}

local ended = false
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Succeeded" and condition.status ~= "Unknown" then
    ended = true
  end
end

local asked = spec.rerun or ""
local waiting = asked ~= "" and asked ~= (status.rerun or "")

local actions = {}
if spec.suspend then
  actions["resume"] = { iconClass = "fa fa-fw fa-play" }
elseif not ended then
  actions["suspend"] = { iconClass = "fa fa-fw fa-pause" }
end
actions["rerun"] = { iconClass = "fa fa-fw fa-redo", disabled = waiting }
return actions
