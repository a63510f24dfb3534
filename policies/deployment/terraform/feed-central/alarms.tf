locals {
  alarms = {
    dead = {
      queue     = aws_sqs_queue.dead.name
      metric    = "ApproximateNumberOfMessagesVisible"
      threshold = 0
      period    = 300
      times     = 1
      says      = "rescind could not read these messages, or GuardDuty did not confirm them for hours."
    }
    undelivered = {
      queue     = aws_sqs_queue.undelivered.name
      metric    = "ApproximateNumberOfMessagesVisible"
      threshold = 0
      period    = 300
      times     = 1
      says      = "EventBridge could not put these findings into rescind's queue. The polls find them later."
    }
    # Also the alarm for a rescind that does not run.
    oldest = {
      queue     = aws_sqs_queue.findings.name
      metric    = "ApproximateAgeOfOldestMessage"
      threshold = var.oldest_message_seconds
      period    = 60
      times     = 3
      says      = "Findings wait in rescind's queue. Does rescind run? See rescind status."
    }
  }
  tell = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "queues" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = each.value.period
  evaluation_periods  = each.value.times
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  # SQS reports nothing of a queue that nobody has used for six hours.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.tell
  ok_actions         = local.tell
}
