module trainingrun.dev/cluster/pause

go 1.26.0
