output "stack_set_id" {
  description = "For the operations on it."
  value       = aws_cloudformation_stack_set.member_role.stack_set_id
}
