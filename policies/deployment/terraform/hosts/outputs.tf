output "group_name" {
  description = "For the instances, and from there to Session Manager."
  value       = aws_autoscaling_group.hosts.name
}

output "log_group" {
  description = "What rescind says."
  value       = aws_cloudwatch_log_group.logs.name
}
