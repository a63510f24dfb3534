output "instance_id" {
  description = "For Session Manager."
  value       = aws_instance.host.id
}

output "volume_id" {
  description = "What to back up, and to attach to another instance."
  value       = aws_ebs_volume.ledger.id
}
