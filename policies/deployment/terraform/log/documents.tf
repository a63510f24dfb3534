# The policies of the table: one for each region, as each replica has its own.
locals {
  # log_table of the module hub-role: the hub's role may put into no other.
  name = "rescind-log"

  # DynamoDB replicates as a role of its own, which is let through: what it may do in another region is what the hub may.
  replicates = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"

  table_policies = {
    for region in concat([local.region], var.replica_regions) : region => jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "OnlyTheHubPuts"
          Effect    = "Deny"
          Principal = "*"
          Action    = "dynamodb:PutItem"
          Resource  = "arn:${local.partition}:dynamodb:${region}:${local.account}:table/${local.name}"
          Condition = { ArnNotLike = { "aws:PrincipalArn" = [var.hub_role_arn, local.replicates] } }
        },
        {
          Sid       = "NobodyChanges"
          Effect    = "Deny"
          Principal = "*"
          Action = [
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:PartiQLDelete",
            "dynamodb:PartiQLInsert",
            "dynamodb:PartiQLUpdate",
            "dynamodb:UpdateItem",
          ]
          Resource  = "arn:${local.partition}:dynamodb:${region}:${local.account}:table/${local.name}"
          Condition = { ArnNotLike = { "aws:PrincipalArn" = local.replicates } }
        },
      ]
    })
  }
}
