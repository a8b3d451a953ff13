{{- define "nodescout.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Names all objects. 40 characters leave room for "-requests" and for the kubelet's suffixes. */}}
{{- define "nodescout.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "nodescout.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "nodescout.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "nodescout.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "nodescout.fullname" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "nodescout.labels" -}}
app.kubernetes.io/name: {{ include "nodescout.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Also the selector of the DaemonSet, which must not change with versions. */}}
{{- define "nodescout.podLabels" -}}
app.kubernetes.io/name: {{ include "nodescout.name" . }}
{{- end -}}

{{- define "nodescout.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "nodescout.pullSecrets" -}}
{{- $secrets := concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
{{- if $secrets -}}
imagePullSecrets:
{{- range $secrets }}
  - name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* nodescout.conf: the shipped one, or the one of the values. */}}
{{- define "nodescout.config" -}}
{{- $without_lease := dict "lease" (dict "enabled" false) -}}
{{- if not .Values.config -}}
{{ .Files.Get "files/nodescout.conf" }}
{{- else if kindIs "string" .Values.config -}}
{{ .Values.config }}
{{- else -}}
{{ toYaml (ternary .Values.config (mergeOverwrite (deepCopy .Values.config) $without_lease) .Values.lease) }}
{{ end -}}
{{- if not (or .Values.lease (and .Values.config (kindIs "map" .Values.config))) }}
{{ toYaml $without_lease }}
{{ end -}}
{{- if .Values.watchNode }}
# Watch the agent's own Node.
watchNode: true
{{ end -}}
{{- end -}}

{{/* Two agents on one Node would take each other's labels for foreign ones. */}}
{{- define "nodescout.onlyRelease" -}}
{{- range (lookup "apps/v1" "DaemonSet" "" "").items -}}
{{- $annotations := default dict .metadata.annotations -}}
{{- $is_ours := and (eq (dig "meta.helm.sh/release-name" "" $annotations) $.Release.Name) (eq (dig "meta.helm.sh/release-namespace" "" $annotations) $.Release.Namespace) -}}
{{- $labels := default dict .metadata.labels -}}
{{- $is_agent := or (eq (dig "app.kubernetes.io/name" "" $labels) "nodescout") (hasPrefix "nodescout-" (dig "helm.sh/chart" "" $labels)) -}}
{{- if and $is_agent (not $is_ours) -}}
{{- fail (printf "nodescout is in this cluster already: DaemonSet %s in namespace %s. A Node can have only one agent. Upgrade that installation, or remove it first." .metadata.name .metadata.namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
