output "role_arn" {
  description = "The remediation role."
  value       = aws_iam_role.member.arn
}

output "quarantine_arn" {
  description = "The policy with which it quarantines."
  value       = aws_iam_policy.quarantine.arn
}
