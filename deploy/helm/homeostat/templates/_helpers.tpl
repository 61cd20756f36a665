{{- define "homeostat.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "homeostat.labels" -}}
app.kubernetes.io/name: homeostat
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "homeostat.selector" -}}
app.kubernetes.io/name: homeostat
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "homeostat.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "homeostat.secretName" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}{{ else }}{{ include "homeostat.name" . }}-secret{{ end }}
{{- end }}

{{/* Names under which the gateways answer. */}}
{{- define "homeostat.hosts" -}}
{{ include "homeostat.name" . }}-gateway
{{- if .Values.ingress.enabled }},{{ .Values.ingress.host }}{{ end }}
{{- range .Values.gateway.allowedHosts }},{{ . }}{{ end }}
{{- end }}

{{- define "homeostat.claim" -}}
{{- if .Values.persistence.existingClaim }}{{ .Values.persistence.existingClaim }}{{ else }}{{ include "homeostat.name" . }}-shared{{ end }}
{{- end }}

{{/* What gateways and workers are told alike. */}}
{{- define "homeostat.environment" -}}
- name: HOMEOSTAT_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: database-url } }
{{- if .Values.redis.enabled }}
- name: HOMEOSTAT_REDIS_URL
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: redis-url } }
{{- end }}
- name: HOMEOSTAT_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: token } }
- name: HOMEOSTAT_BLOBS_MASTER_KEY
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: master-key } }
- name: HOMEOSTAT_SECRETS_KEY
  value: passphrase
- name: HOMEOSTAT_SECRETS_PASSPHRASE
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: secrets-passphrase } }
{{- if .Values.blobs.url }}
- name: HOMEOSTAT_BLOBS_URL
  value: {{ .Values.blobs.url | quote }}
{{- if .Values.blobs.useKeys }}
- name: HOMEOSTAT_BLOBS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: s3-access-key-id } }
- name: HOMEOSTAT_BLOBS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ include "homeostat.secretName" . }}, key: s3-secret-access-key } }
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "homeostat.containerSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
{{- end }}
