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

{{- define "nodescout.controllerAccount" -}}
{{- $account := .Values.controller.serviceAccount -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "nodescout.fullname" . -}}-controller
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
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
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

{{/*
What agents read of nodescout.conf only when they start, as JSON: the keys that docs/operations.md marks "at the next
start", in any case; empty if there are none. As an annotation it replaces the Pods where one of them changes.
*/}}
{{- define "nodescout.startSettings" -}}
{{- $found := dict -}}
{{- range $section, $value := fromYaml (include "nodescout.config" .) -}}
{{- if has (lower $section) (list "watchnode" "nopublish" "statefile" "lease" "readinessgate") -}}
{{- $_ := set $found $section $value -}}
{{- else if kindIs "map" $value -}}
{{- range $key, $inner := $value -}}
{{- if has (lower (printf "%s.%s" $section $key)) (list "core.nopublish" "core.nopublishfeatures" "core.ownerrefs" "core.noownerrefs" "limits.nodefeatureobjects" "limits.nodefeaturebytes") -}}
{{- $_ := set $found (printf "%s.%s" $section $key) $inner -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $found }}{{ toJson $found }}{{ end -}}
{{- end -}}

{{/* Annotations of Pods that read nodescout.conf. */}}
{{- define "nodescout.podAnnotations" -}}
{{- $annotations := deepCopy .Values.annotations -}}
{{- with include "nodescout.startSettings" . -}}
{{- $_ := set $annotations "nodescout.dev/start-settings" . -}}
{{- end -}}
{{- if $annotations }}{{ toYaml $annotations }}{{ end -}}
{{- end -}}

{{/* A value of nodescout.conf as text, its keys in any case: (list CONFIG "readinessgate" "taint"). */}}
{{- define "nodescout.configValue" -}}
{{- $section := index . 1 -}}
{{- $wanted := index . 2 -}}
{{- range $name, $members := index . 0 -}}
{{- if and (eq (lower $name) $section) (kindIs "map" $members) -}}
{{- range $key, $value := $members -}}
{{- if and (eq (lower $key) $wanted) (not (kindIs "invalid" $value)) }}{{ $value }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Seconds without a renewal after which a Lease is stale: three of lease.period. Empty: agents have no Lease. */}}
{{- define "nodescout.staleAfter" -}}
{{- $config := fromYaml (include "nodescout.config" .) -}}
{{- if ne (include "nodescout.configValue" (list $config "lease" "enabled")) "false" -}}
{{- $period := include "nodescout.configValue" (list $config "lease" "period") | default "30s" -}}
{{- if regexMatch "^[0-9.]+$" $period }}{{ $period = printf "%ss" $period }}{{ end -}}
{{- $seconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+(h|ms|m|s)" $period -1 -}}
{{- $unit := regexFind "[a-z]+" . -}}
{{- $seconds = addf $seconds (mulf (trimSuffix $unit .) (get (dict "h" 3600 "m" 60 "s" 1 "ms" 0.001) $unit)) -}}
{{- end -}}
{{- mulf 3 $seconds -}}
{{- end -}}
{{- end -}}

{{/*
Two agents on one Node would take each other's labels for foreign ones, and a controller leaves a Node to its agent
only if it sees the agent's Lease, which is in the agent's namespace.
*/}}
{{- define "nodescout.onlyRelease" -}}
{{- range $kind := list "DaemonSet" "Deployment" -}}
{{- range (lookup "apps/v1" $kind "" "").items -}}
{{- $annotations := default dict .metadata.annotations -}}
{{- $is_this_release := and (eq (dig "meta.helm.sh/release-name" "" $annotations) $.Release.Name) (eq (dig "meta.helm.sh/release-namespace" "" $annotations) $.Release.Namespace) -}}
{{- $labels := default dict .metadata.labels -}}
{{- $is_ours := or (eq (dig "app.kubernetes.io/name" "" $labels) "nodescout") (hasPrefix "nodescout-" (dig "helm.sh/chart" "" $labels)) -}}
{{- if and $is_ours (not $is_this_release) -}}
{{- if and $.Values.agents.enabled (eq $kind "DaemonSet") -}}
{{- fail (printf "nodescout is in this cluster already: DaemonSet %s in namespace %s. A Node can have only one agent. Upgrade that installation, or remove it first." .metadata.name .metadata.namespace) -}}
{{- end -}}
{{- if ne .metadata.namespace (include "nodescout.namespace" $) -}}
{{- fail (printf "nodescout is in this cluster already: %s %s in namespace %s. Agents and controllers must be in one namespace: a controller leaves a Node alone only while it sees the Lease of its agent there. Use that namespace, or remove that installation first." $kind .metadata.name .metadata.namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
