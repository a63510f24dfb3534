output "policy_id" {
  description = "The id of the organization's resource policy."
  value       = aws_organizations_resource_policy.delegation.id
}
