"""`kubectl trainingrun`: draws what `trainingrun.views` says of what `trainingrun.client` finds."""
