{{/* Reading namespaces: of those that are not watched nothing. */}}
{{- define "llmobs.namespaceRule" -}}
# labels of namespaces decide what applies there{{ .Values.watch.namespaces | empty | ternary "" "; a list of one by its name is allowed, one of all is not" }}
- apiGroups: [""]
  resources: [namespaces]
  {{- with .Values.watch.namespaces }}
  resourceNames: {{ uniq . | toJson }}
  {{- end }}
  verbs: [list, watch]
{{- end }}

{{/* What the controller may do in namespaces with policies. */}}
{{- define "llmobs.controllerRules" -}}
# policies: read, and say how they stand
- apiGroups: [llmobs.dev]
  resources: [llmobservabilities]
  verbs: [list, watch]
- apiGroups: [llmobs.dev]
  resources: [llmobservabilities/status]
  verbs: [patch]
# which pods are instrumented
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
# the workloads behind pods: Events about them, and what restarts them
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: {{ .Values.controller.restartsWorkloads | ternary "[get, patch]" "[get]" }}
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: {{ .Values.controller.restartsWorkloads | ternary "[get, patch]" "[get]" }}
{{- if .Values.controller.restartsWorkloads }}
# a StatefulSet waits for ever for a pod that crash-loops
- apiGroups: [""]
  resources: [pods]
  verbs: [delete]
{{- end }}
# dashboards and rules of a policy
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  verbs: [get, list, watch, create, patch, delete]
{{- if .Values.dedicated.enabled }}
# gateways of single policies
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
# what such a gateway may read: pods, as the controller may, since nobody can give a right that he lacks
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, list, watch, create, patch, delete]
# why it does not start, and which configurations are still in use
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- end }}
{{- end }}

{{/* A Role with .rules for the account of .component in each namespace that is watched; nothing where all are. */}}
{{- define "llmobs.watchedRoles" -}}
{{- $it := . }}
{{- range $namespace := uniq .root.Values.watch.namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: llmobs-{{ $it.component }}-watched
  namespace: {{ $namespace }}
  labels:
    {{- include "llmobs.labels" $it | nindent 4 }}
rules:
  {{- $it.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: llmobs-{{ $it.component }}-watched
  namespace: {{ $namespace }}
  labels:
    {{- include "llmobs.labels" $it | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: llmobs-{{ $it.component }}-watched
subjects:
  - kind: ServiceAccount
    name: llmobs-{{ $it.component }}
    namespace: {{ $it.root.Release.Namespace }}
{{- end }}
{{- end }}
