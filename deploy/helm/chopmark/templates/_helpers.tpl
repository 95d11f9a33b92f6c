{{- define "chopmark.name" -}}
{{- if contains "chopmark" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-chopmark" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "chopmark.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "chopmark.labels" -}}
app.kubernetes.io/name: chopmark
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What tells the pods of one role from all others. */}}
{{- define "chopmark.selector" -}}
app.kubernetes.io/name: chopmark
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* Nobody is root, nothing is written outside of the data folder. */}}
{{- define "chopmark.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "chopmark.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "chopmark.mounts" -}}
- name: config
  mountPath: /etc/chopmark/chopmark.toml
  subPath: chopmark.toml
  readOnly: true
- name: secrets
  mountPath: /etc/chopmark/secrets
  readOnly: true
- name: data
  mountPath: /var/lib/chopmark
{{- end }}

{{- define "chopmark.volumes" -}}
- name: config
  configMap:
    name: {{ include "chopmark.name" . }}
- name: secrets
  secret:
    secretName: {{ .Values.secretName }}
    defaultMode: 0440
{{- end }}

{{/* One role: a Deployment, and its PodDisruptionBudget. */}}
{{- define "chopmark.role" -}}
{{- $root := .root }}
{{- $role := .role }}
{{- $values := index $root.Values $role }}
{{- $name := printf "%s-%s" (include "chopmark.name" $root) $role }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "chopmark.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
spec:
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "chopmark.selector" . | nindent 6 }}
  # The new one is ready before an old one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "chopmark.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $role }}
        {{- with $root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # The configuration is read at the start: a changed one starts every node anew.
        checksum/config: {{ $root.Values.config | sha256sum }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- with $root.Values.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        {{- include "chopmark.podSecurity" $root | nindent 8 }}
      # Longer than preStop and limits.shutdown_seconds together.
      terminationGracePeriodSeconds: 60
      {{- if ne $root.Values.antiAffinity "none" }}
      affinity:
        podAntiAffinity:
          {{- if eq $root.Values.antiAffinity "required" }}
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  {{- include "chopmark.selector" . | nindent 18 }}
          {{- else }}
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    {{- include "chopmark.selector" . | nindent 20 }}
          {{- end }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "chopmark.selector" . | nindent 14 }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: chopmark
          image: {{ include "chopmark.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [serve, --role, {{ $role }}]
          env:
            - name: RUST_LOG
              value: {{ $root.Values.logLevel | quote }}
            {{- if .tlsSecretName }}
            - name: CHOPMARK_TLS__CERT
              value: /etc/chopmark/tls/tls.crt
            - name: CHOPMARK_TLS__KEY
              value: /etc/chopmark/tls/tls.key
            {{- end }}
          ports:
            {{- range .ports }}
            - name: {{ .name }}
              containerPort: {{ .port }}
            {{- end }}
            - name: metrics
              containerPort: 9090
          # Alive is asked of the process alone: what is away outside is no reason to start it anew.
          startupProbe:
            httpGet: { path: /livez, port: metrics }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /livez, port: metrics }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: metrics }
            periodSeconds: 3
            timeoutSeconds: 2
            failureThreshold: 2
          lifecycle:
            # Whoever still sends here has heard that it goes before it goes.
            preStop:
              sleep: { seconds: 5 }
          securityContext:
            {{- include "chopmark.containerSecurity" $root | nindent 12 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- include "chopmark.mounts" $root | nindent 12 }}
            {{- if .tlsSecretName }}
            - name: tls
              mountPath: /etc/chopmark/tls
              readOnly: true
            {{- end }}
      volumes:
        {{- include "chopmark.volumes" $root | nindent 8 }}
        # Snapshots and the delivery journal: this node's own, made anew where they are missing.
        - name: data
          emptyDir: {}
        {{- with .tlsSecretName }}
        - name: tls
          secret:
            secretName: {{ . }}
            defaultMode: 0440
        {{- end }}
  {{- with .progressDeadlineSeconds }}
  progressDeadlineSeconds: {{ . }}
  {{- end }}
{{- if $root.Values.disruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels:
    {{- include "chopmark.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "chopmark.selector" . | nindent 6 }}
{{- end }}
{{- end }}
