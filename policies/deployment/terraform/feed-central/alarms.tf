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
    oldest = {
      queue     = aws_sqs_queue.findings.name
      metric    = "ApproximateAgeOfOldestMessage"
      threshold = var.oldest_message_seconds
      period    = 60
      times     = 3
      says      = "Findings wait in rescind's queue. Does rescind run? See rescind status."
    }
  }
  notified = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
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
  alarm_actions      = local.notified
  ok_actions         = local.notified
}

# Nobody asks, so nobody acts: raised also while there is no finding that could wait. rescind asks the
# queue every 20 seconds. Before the first start the alarm is right. Five periods of a minute, and not
# one of five: SQS's figures come some minutes late, and a minute that is still empty is not five.
resource "aws_cloudwatch_metric_alarm" "missed" {
  alarm_name          = "${local.name}-unread"
  alarm_description   = "For five minutes nobody has asked rescind's queue for findings: rescind does not run, or may not receive."
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  # SQS reports nothing of a queue that nobody has used for six hours.
  treat_missing_data = "breaching"
  alarm_actions      = local.notified
  ok_actions         = local.notified

  metric_query {
    id          = "came"
    label       = "rescind-findings-unread"
    expression  = "FILL(messages, 0) + FILL(empty, 0)"
    return_data = true
  }

  metric_query {
    id = "messages"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfMessagesReceived"
      dimensions  = { QueueName = aws_sqs_queue.findings.name }
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "empty"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfEmptyReceives"
      dimensions  = { QueueName = aws_sqs_queue.findings.name }
      period      = 60
      stat        = "Sum"
    }
  }
}
