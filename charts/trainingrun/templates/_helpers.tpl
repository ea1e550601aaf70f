{{- /* Labels by which the operators are found. */}}
{{- define "trainingrun.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end }}

{{- /* Metadata of an object: a dict of the context `root`, `name`, and whether it is in the release's namespace or that of `namespace`. */}}
{{- define "trainingrun.metadata" -}}
name: {{ .name }}
{{- if .namespace }}
namespace: {{ .namespace }}
{{- end }}
labels:
  {{- include "trainingrun.selector" .root | nindent 2 }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
  {{- range $name, $value := merge (dict) (.labels | default dict) .root.Values.labels }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.annotations }}
annotations:
  {{- range $name, $value := . }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* The name of an image: a dict of `image` and the chart's `version`. */}}
{{- define "trainingrun.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end }}
{{- end }}

{{- /* A number of YAML, which is a float to Helm, as the digits that were written. */}}
{{- define "trainingrun.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- /* The operators' ServiceAccount as the subject of a binding. */}}
{{- define "trainingrun.subjects" -}}
- kind: ServiceAccount
  name: {{ .Values.name }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* The label that makes a role part of one of Kubernetes' own: a dict of `to`, its name, and the context `root`. */}}
{{- define "trainingrun.aggregated" -}}
{{- if .root.Values.roles.aggregate -}}
rbac.authorization.k8s.io/aggregate-to-{{ .to }}: "true"
{{- end }}
{{- end }}
