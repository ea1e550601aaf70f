"""All talk with the API server. `port` says what there is to do, `kube` and `lease` do it."""
