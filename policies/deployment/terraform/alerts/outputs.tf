output "topic_arn" {
  description = "alert_topic_arn of the other modules, in this region."
  value       = aws_sns_topic.alerts.arn

  # An alarm that is raised before the policy is there would be lost.
  depends_on = [aws_sns_topic_policy.alerts]
}
