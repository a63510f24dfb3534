locals {
  alarms = {
    throttled = {
      says    = "DynamoDB throttles rescind's log. What is revoked is written there first, so it waits."
      formula = "FILL(writes, 0) + FILL(reads, 0)"
      metrics = {
        writes = { name = "WriteThrottleEvents", dimensions = {} }
        reads  = { name = "ReadThrottleEvents", dimensions = {} }
      }
    }
    # Three minutes in a row: a single one is repeated by whoever got it.
    errors = {
      says    = "DynamoDB fails for rescind's log. What is revoked is written there first, so it waits."
      formula = "FILL(puts, 0) + FILL(gets, 0) + FILL(batches, 0)"
      metrics = {
        puts    = { name = "SystemErrors", dimensions = { Operation = "PutItem" } }
        gets    = { name = "SystemErrors", dimensions = { Operation = "GetItem" } }
        batches = { name = "SystemErrors", dimensions = { Operation = "BatchGetItem" } }
      }
    }
  }
  notified = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
}

# The leader renews its lease every 3 seconds by a put. Nobody puts, so nobody leads: raised also while no finding comes,
# and by figures that are not rescind's own. While no host runs yet, the alarm is right.
resource "aws_cloudwatch_metric_alarm" "leader" {
  alarm_name        = "${local.name}-leader"
  alarm_description = "For a minute nobody has put anything into rescind's log. No host leads, so nothing is revoked."
  namespace         = "AWS/DynamoDB"
  # How many there were is its SampleCount.
  metric_name         = "SuccessfulRequestLatency"
  dimensions          = { TableName = aws_dynamodb_table.log.name, Operation = "PutItem" }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  # DynamoDB reports nothing of a table that nobody puts into.
  treat_missing_data = "breaching"
  alarm_actions      = local.notified
  ok_actions         = local.notified
}

resource "aws_cloudwatch_metric_alarm" "table" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.says
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  # DynamoDB reports only what happened.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.notified
  ok_actions         = local.notified

  metric_query {
    id          = "happened"
    label       = "${local.name}-${each.key}"
    expression  = each.value.formula
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value.name
        dimensions  = merge({ TableName = aws_dynamodb_table.log.name }, metric_query.value.dimensions)
        period      = 60
        stat        = "Sum"
      }
    }
  }
}
