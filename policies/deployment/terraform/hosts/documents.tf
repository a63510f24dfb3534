# What an instance runs is in a file that CloudFormation has, too: nothing is written twice.
locals {
  user_data = templatefile("${path.module}/../../hub/hosts.sh", {
    CLUSTER                  = local.cluster
    CONFIGURATION_SECRET_ARN = var.configuration_secret_arn
    OPT_OUTS_SECRET_ARN      = var.opt_outs_secret_arn
    REGION                   = local.region
    SECRETS                  = join(" ", var.secret_arns)
    SIGNING_KEY_SECRET_ARN   = var.signing_key_secret_arn
  })

  instance_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # Only in China the service's name in IAM has the suffix of the partition.
      Principal = { Service = local.partition == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  # Only tasks of this account, in case ECS is asked to run one for somebody else.
  execution_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  configuration = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadConfiguration"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = concat([var.configuration_secret_arn, var.opt_outs_secret_arn], compact([var.signing_key_secret_arn]))
    }]
  })

  secrets = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = var.secret_arns
    }]
  })

  containers = jsonencode([{
    name                   = "rescind"
    image                  = var.image
    essential              = true
    memoryReservation      = 256
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    privileged             = false
    dockerSecurityOptions  = ["no-new-privileges"]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    # Longer than drain_timeout (20 s).
    stopTimeout = 30
    # It answers when it has read the organization and the regions: with AWS half reachable that takes minutes. A host
    # whose task does not answer yet follows no one, and the other one leads meanwhile.
    healthCheck = {
      command     = ["CMD", "/usr/bin/rescind", "--config", "/etc/rescind/rescind.toml", "health"]
      startPeriod = 300
      interval    = 60
      timeout     = 10
      retries     = 10
    }
    mountPoints = [
      { sourceVolume = "etc", containerPath = "/etc/rescind", readOnly = true },
      { sourceVolume = "lib", containerPath = "/var/lib/rescind" },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = local.log_group
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = "rescind"
      }
    }
  }])

  boundary = var.permissions_boundary == "" ? null : "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
}
