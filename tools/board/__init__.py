"""The Grafana board, as code: `panels` says what is shown, `grafana` how Grafana wants to be told."""
