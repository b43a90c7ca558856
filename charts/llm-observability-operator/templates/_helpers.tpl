{{/* Labels of every object of the chart. */}}
{{- define "llmobs.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{ include "llmobs.selector" . }}
{{- end }}

{{/* Labels by which a component's pods are found. */}}
{{- define "llmobs.selector" -}}
app.kubernetes.io/name: llm-observability-operator
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* The operator's image. */}}
{{- define "llmobs.image" -}}
{{- $name := .Values.image.repository }}
{{- with .Values.images.registry }}
{{- /* a first part with a dot or a port, or localhost, is a registry; anything else a path on Docker Hub */}}
{{- $name = printf "%s/%s" . (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $name "") }}
{{- end }}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}

{{/* Whether a webhook instruments pods; empty when it does not. */}}
{{- define "llmobs.webhook" -}}
{{- if and .Values.webhook.enabled (eq .Values.admission.by "Webhook") }}true{{ end }}
{{- end }}

{{/* The configuration file: the values that are the platform's settings, under the names the operator reads. */}}
{{- define "llmobs.settings" -}}
{{- $settings := pick (deepCopy .Values) "clusterName" "watch" "images" "admission" "gateway" "dedicated" "sidecar" "rules" "grafana" "prometheus" "resync" }}
{{- if not $settings.images.python }}
{{- $_ := set $settings.images "python" (printf "ghcr.io/llm-observability-operator/python:%s" .Chart.AppVersion) }}
{{- end }}
{{- $_ := set $settings.admission "excludedNamespaces" .Values.webhook.excludedNamespaces }}
{{- $_ := set $settings.gateway "cpu" ($settings.gateway.cpu | toString) }}
{{- $_ := set $settings.dedicated "cpu" ($settings.dedicated.cpu | toString) }}
{{- $_ := set $settings.sidecar "cpu" ($settings.sidecar.cpu | toString) }}
{{- toYaml $settings }}
{{- end }}

{{/* What pods of a component share: security as Pod Security's level "restricted" asks, never instrumented by ourselves. */}}
{{- define "llmobs.podMetadata" -}}
labels:
  {{- include "llmobs.selector" . | nindent 2 }}
  llmobs.dev/inject: "false"
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # a changed configuration is a changed pod
  llmobs.dev/settings: {{ include "llmobs.settings" .root | sha256sum | trunc 16 }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "llmobs.podSpec" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "llmobs.container" -}}
image: {{ include "llmobs.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end }}
