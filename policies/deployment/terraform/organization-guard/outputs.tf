output "policy_id" {
  description = "For the operations on it."
  value       = aws_organizations_policy.guard.id
}
