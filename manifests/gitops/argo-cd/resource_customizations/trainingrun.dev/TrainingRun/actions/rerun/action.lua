-- Any value that is not the last one runs again. No two versions of an object share a resource version, so it is new; and
-- it follows from the object alone, unlike the time.
obj.spec.rerun = "argo-cd-" .. obj.metadata.resourceVersion
return obj
