output "table_name" {
  description = "The table of the log, in rescind.toml, and log_table of the module hub-role."
  value       = aws_dynamodb_table.log.name
}
