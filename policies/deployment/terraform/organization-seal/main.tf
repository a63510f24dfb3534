# The service control policy that keeps everybody but the remediation role and those who deploy from lifting a
# quarantine, and everybody but those who deploy from altering that role and the quarantine: in the management account, or
# in a delegated administrator for policies, after the remediation role is everywhere. It disturbs nobody else.

resource "aws_organizations_policy" "seal" {
  name        = var.policy_name
  description = "Keeps the remediation role of rescind, and its quarantine."
  type        = "SERVICE_CONTROL_POLICY"
  content     = local.content
  # What has this tag stays out of reach of the module organization-deny-delegation.
  tags = { rescind-keep = "true" }
}

resource "aws_organizations_policy_attachment" "seal" {
  for_each = var.target_ids

  policy_id = aws_organizations_policy.seal.id
  target_id = each.value
}
