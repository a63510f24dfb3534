output "role_arn" {
  description = "The role for drills."
  value       = aws_iam_role.drill.arn
}
