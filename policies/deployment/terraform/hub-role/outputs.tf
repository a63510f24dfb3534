output "role_arn" {
  description = "hub_role_arn of the other modules."
  value       = aws_iam_role.hub.arn
}

output "instance_profile_name" {
  description = "For the instance that runs rescind; null for ECS."
  value       = one(aws_iam_instance_profile.hub[*].name)
}
