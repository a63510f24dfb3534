#!/bin/bash
set -euo pipefail
systemctl stop ecs || true
command -v aws > /dev/null || dnf install -y awscli-2
install -d -m 0755 /srv/rescind
install -d -o 65532 -g 65532 -m 0700 /srv/rescind/lib
install -d -o 0 -g 65532 -m 0750 /srv/rescind/etc
cat > /usr/local/sbin/rescind-configuration <<'EOF'
#!/bin/bash
set -euo pipefail
umask 0077
# ARN, FILE, OWNER, MODE
read_secret() {
    aws secretsmanager get-secret-value --region ${REGION} --secret-id "$1" \
        --query SecretString --output text > "$2.coming"
    chown "$3" "$2.coming"
    chmod "$4" "$2.coming"
    mv "$2.coming" "$2"
}
read_secret '${CONFIGURATION_SECRET_ARN}' /srv/rescind/etc/rescind.toml 0:65532 0640
read_secret '${OPT_OUTS_SECRET_ARN}' /srv/rescind/etc/opt-outs.toml 0:65532 0640
signing_key='${SIGNING_KEY_SECRET_ARN}'
# Only once: a key that was rotated is not put back.
if [ -n "$signing_key" ] && [ ! -e /srv/rescind/lib/ledger.key ]; then
    read_secret "$signing_key" /srv/rescind/lib/ledger.key 65532:65532 0600
fi
for container in $(docker ps --quiet --filter label=com.amazonaws.ecs.container-name=rescind); do
    docker kill --signal HUP "$container"
done
EOF
chmod 0700 /usr/local/sbin/rescind-configuration
until /usr/local/sbin/rescind-configuration; do sleep 10; done
cat > /usr/local/sbin/rescind-secrets <<'EOF'
#!/bin/bash
# Puts each secret into a file that has the last part of its name, and takes away those that are not listed.
set -euo pipefail
umask 0077
secrets='${SECRETS}'
folder=/srv/rescind/etc/secrets
install -d -o 0 -g 65532 -m 0750 "$folder"
missing=0 kept=' '
for arn in $secrets; do
    name=$(basename "$(printf %s "$arn" | tr : / | sed 's/-......$//')")
    kept="$kept$name "
    if aws secretsmanager get-secret-value --region ${REGION} --secret-id "$arn" \
        --query SecretString --output text > "$folder/.coming"; then
        chown 0:65532 "$folder/.coming"
        chmod 0640 "$folder/.coming"
        mv "$folder/.coming" "$folder/$name"
    else
        # What was read before stays: rescind says which channel a secret is missing for.
        missing=1
    fi
done
rm -f "$folder/.coming"
for file in "$folder"/*; do
    case "$kept" in *" $(basename "$file") "*) ;; *) rm -f "$file" ;; esac
done
exit "$missing"
EOF
chmod 0700 /usr/local/sbin/rescind-secrets
cat > /etc/systemd/system/rescind-secrets.service <<'EOF'
[Unit]
Description=Reads the secrets of rescind
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/rescind-secrets
EOF
cat > /etc/systemd/system/rescind-secrets.timer <<'EOF'
[Unit]
Description=Reads the secrets of rescind again
[Timer]
OnActiveSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
EOF
/usr/local/sbin/rescind-secrets || true
systemctl daemon-reload
systemctl enable --now rescind-secrets.timer
cat > /etc/ecs/ecs.config <<EOF
ECS_CLUSTER=${CLUSTER}
ECS_DISABLE_PRIVILEGED=true
EOF
systemctl enable --now --no-block ecs
