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

{{- /* The password of a part: the one of the values, or else the one that the release has, or
       else a new one, which is the same wherever this rendering asks for it. */ -}}
{{- define "fechatter.password" -}}
{{- $values := index .root.Values .part -}}
{{- if not $values.password -}}
{{- $key := printf "%s_PASSWORD" (upper .part) -}}
{{- $old := lookup "v1" "Secret" .root.Release.Namespace (printf "%s-parts" (include "fechatter.name" .root)) -}}
{{- if and $old (hasKey ($old.data | default dict) $key) -}}
{{- $_ := set $values "password" (index $old.data $key | b64dec) -}}
{{- else -}}
{{- $_ := set $values "password" (printf "%s%s" (randAlpha 1) (randAlphaNum 31)) -}}
{{- end -}}
{{- end -}}
{{- $values.password -}}
{{- end -}}

{{- define "fechatter.partLabels" -}}
app.kubernetes.io/name: fechatter-{{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}
