{{- define "fechatter.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "fechatter.selector" -}}
app.kubernetes.io/name: fechatter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "fechatter.labels" -}}
{{ include "fechatter.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "fechatter.secret" -}}
{{- .Values.existingSecret | default (include "fechatter.name" .) -}}
{{- end -}}
