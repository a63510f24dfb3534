# rescind on two hosts in two zones, for an installation whose log is in a table (module log). One leads, the other follows
# and takes over. The secrets that are needed first, and how to change what is in them: ../../hub/hosts.yaml.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_subnet" "hosts" {
  for_each = { first = var.first_subnet_id, second = var.second_subnet_id }

  id = each.value
}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
  cluster   = aws_ecs_cluster.hosts.name
  log_group = aws_cloudwatch_log_group.logs.name
  notified  = var.alert_topic_arn == "" ? [] : [var.alert_topic_arn]
}

resource "aws_security_group" "egress" {
  description = "rescind calls AWS, and nobody calls it."
  vpc_id      = var.vpc_id

  egress {
    description = "The AWS APIs."
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# What the instance itself may do: take tasks, be reached by Session Manager, and read the configuration. What rescind may
# do is the task's role.
resource "aws_iam_role" "instance" {
  name_prefix          = "rescind-hosts-instance-"
  assume_role_policy   = local.instance_trust
  permissions_boundary = local.boundary
}

resource "aws_iam_role_policy_attachment" "instance" {
  for_each = toset(["service-role/AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"])

  role       = aws_iam_role.instance.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy" "configuration" {
  name   = "RescindConfiguration"
  role   = aws_iam_role.instance.name
  policy = local.configuration
}

resource "aws_iam_role_policy" "secrets" {
  count = length(var.secret_arns) == 0 ? 0 : 1

  name   = "RescindSecrets"
  role   = aws_iam_role.instance.name
  policy = local.secrets
}

resource "aws_iam_instance_profile" "instance" {
  name_prefix = "rescind-hosts-"
  role        = aws_iam_role.instance.name
}

resource "aws_launch_template" "host" {
  name_prefix            = "rescind-hosts-"
  image_id               = var.image_id
  instance_type          = var.instance_type
  update_default_version = true
  user_data              = base64encode(local.user_data)

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance.arn
  }

  network_interfaces {
    device_index                = 0
    security_groups             = [aws_security_group.egress.id]
    associate_public_ip_address = false
  }

  # The root volume of an ECS-optimized image. The ledger's file is on it, and all of it is in the log as well.
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      delete_on_termination = true
      encrypted             = true
      volume_size           = 30
      volume_type           = "gp3"
    }
  }

  metadata_options {
    http_tokens = "required"
    # A container is one hop further away: it must not get the instance's role.
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "rescind" }
  }
}

# One in each zone: a group that is spread over two subnets keeps its instances balanced. When a zone is gone, both are in
# the other one until it comes back.
resource "aws_autoscaling_group" "hosts" {
  name_prefix               = "rescind-hosts-"
  min_size                  = 2
  max_size                  = 2
  vpc_zone_identifier       = [var.first_subnet_id, var.second_subnet_id]
  health_check_type         = "EC2"
  health_check_grace_period = 300

  launch_template {
    id      = aws_launch_template.host.id
    version = aws_launch_template.host.latest_version
  }

  # One after the other, and the next one when the one before has read the log.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 50
      instance_warmup        = 600
    }
  }

  lifecycle {
    precondition {
      condition     = length(distinct([for subnet in data.aws_subnet.hosts : subnet.availability_zone])) == 2
      error_message = "The two hosts have to be in two zones."
    }
  }

  # An instance that starts before it may read its configuration tries again, and so does this only for order.
  depends_on = [aws_iam_role_policy.configuration, aws_iam_role_policy_attachment.instance]
}

resource "aws_ecs_cluster" "hosts" {
  name = "rescind-hosts"
}

resource "aws_cloudwatch_log_group" "logs" {
  name              = "rescind-hosts"
  retention_in_days = 365
  skip_destroy      = true
}

resource "aws_iam_role" "execution" {
  name_prefix          = "rescind-hosts-execution-"
  assume_role_policy   = local.execution_trust
  permissions_boundary = local.boundary
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_ecs_task_definition" "rescind" {
  family                   = "rescind-hosts"
  requires_compatibilities = ["EC2"]
  network_mode             = "bridge"
  task_role_arn            = var.hub_role_arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = local.containers

  dynamic "volume" {
    for_each = toset(["etc", "lib"])

    content {
      name      = volume.value
      host_path = "/srv/rescind/${volume.value}"
    }
  }
}

# A task on each host, and never two on one: they would share the ledger's file.
resource "aws_ecs_service" "rescind" {
  name                          = "rescind"
  cluster                       = aws_ecs_cluster.hosts.id
  task_definition               = aws_ecs_task_definition.rescind.arn
  launch_type                   = "EC2"
  scheduling_strategy           = "DAEMON"
  availability_zone_rebalancing = "DISABLED"
  # A new version comes to one host after the other, and the old task is stopped before the new one starts.
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_autoscaling_group.hosts]
}

# The figure comes once a minute from each task that runs: its SampleCount is how many there are.
resource "aws_cloudwatch_metric_alarm" "hosts" {
  alarm_name          = "rescind-log-hosts"
  alarm_description   = "For ten minutes fewer than two hosts have run rescind. If there is one, it leads, and nobody would take over."
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = { ClusterName = aws_ecs_cluster.hosts.name, ServiceName = aws_ecs_service.rescind.name }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 10
  threshold           = 2
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.notified
  ok_actions          = local.notified
}
