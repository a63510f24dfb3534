output "role_arn" {
  description = "The remediation role."
  value       = aws_iam_role.member.arn
}
