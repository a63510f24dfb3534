output "queue_url" {
  description = "events.queue in rescind.toml."
  value       = aws_sqs_queue.findings.url
}

output "bus_arn" {
  description = "central_bus_arn of the module feed-region."
  value       = aws_cloudwatch_event_bus.findings.arn
}
