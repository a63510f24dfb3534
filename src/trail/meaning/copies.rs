//! Copies of disks, images, databases and buckets: data on its way out.

use super::row::{Row, row};
use crate::trail::Meaning::Takes;
use crate::trail::Thing;

pub(super) const ROWS: &[Row] = &[
    row(&["ec2:CreateSnapshot", "ec2:CopySnapshot"], Takes, Thing::Snapshot)
        .object(&["out.snapshotId"])
        .names(&[("snapshot", &["out.snapshotId"]), ("volume", &["in.volumeId"])])
        .why("It is a copy of a disk, which can be shared or made a disk of the thief's machine.")
        .look(&[
            "aws ec2 describe-snapshots --snapshot-ids {snapshot}",
            "aws ec2 describe-snapshot-attribute --snapshot-id {snapshot} --attribute createVolumePermission",
        ])
        .take_away(&["aws ec2 delete-snapshot --snapshot-id {snapshot}"])
        .source("EC2 API Reference, CreateSnapshot, CopySnapshot; Stratus Red Team ec2-share-ebs-snapshot; ATT&CK T1578.001"),
    row(&["ec2:CreateSnapshots"], Takes, Thing::Snapshot)
        .object(&["out.CreateSnapshotsResponse.snapshotSet.item.*.snapshotId"])
        .names(&[("snapshots", &["out.CreateSnapshotsResponse.snapshotSet.item.*.snapshotId"])])
        .why("They are copies of all disks of an instance, which can be shared or made disks of the thief's machine.")
        .look(&["aws ec2 describe-snapshots --snapshot-ids {*snapshots}"])
        .take_away(&["aws ec2 delete-snapshot --snapshot-id {each:snapshots}"])
        .source("EC2 API Reference, CreateSnapshots; ATT&CK T1578.001"),
    row(&["ec2:CreateImage", "ec2:CopyImage", "ec2:RegisterImage"], Takes, Thing::Image)
        .object(&["out.imageId", "in.name"])
        .names(&[("image", &["out.imageId"])])
        .why("It is a copy of a machine, which can be shared or started. Its snapshots stay when it is deregistered.")
        .look(&["aws ec2 describe-images --image-ids {image}"])
        .take_away(&["aws ec2 deregister-image --image-id {image}"])
        .source("EC2 API Reference, CreateImage, CopyImage; ATT&CK T1578.001, T1537"),
    row(&["ec2:ExportImage"], Takes, Thing::Export)
        .object(&["out.ExportImageResponse.exportImageTaskId", "in.ExportImageRequest.ImageId"])
        .names(&[
            ("task", &["out.ExportImageResponse.exportImageTaskId"]),
            ("image", &["in.ExportImageRequest.ImageId"]),
            ("bucket", &["in.ExportImageRequest.S3ExportLocation.S3Bucket"]),
        ])
        .why("A machine's disks are written to a bucket.")
        .look(&["aws ec2 describe-export-image-tasks --export-image-task-ids {task}"])
        .take_away(&["aws ec2 cancel-export-task --export-task-id {task}"])
        .source("EC2 API Reference, ExportImage, CancelExportTask; ATT&CK T1537"),
    row(&["ec2:CreateInstanceExportTask"], Takes, Thing::Export)
        .object(&["out.exportTask.exportTaskId", "in.instanceId"])
        .names(&[
            ("task", &["out.exportTask.exportTaskId"]),
            ("instance", &["in.instanceId"]),
            ("bucket", &["in.exportToS3.s3Bucket"]),
        ])
        .why("A machine's disks are written to a bucket.")
        .look(&["aws ec2 describe-export-tasks --export-task-ids {task}"])
        .take_away(&["aws ec2 cancel-export-task --export-task-id {task}"])
        .source("EC2 API Reference, CreateInstanceExportTask; SigmaHQ on CreateInstanceExportTask; ATT&CK T1537"),
    row(&["rds:CreateDBSnapshot", "rds:CopyDBSnapshot"], Takes, Thing::DatabaseSnapshot)
        .object(&["out.dBSnapshotArn", "in.targetDBSnapshotIdentifier", "in.dBSnapshotIdentifier"])
        .names(&[(
            "snapshot",
            &["out.dBSnapshotIdentifier", "in.targetDBSnapshotIdentifier", "in.dBSnapshotIdentifier"],
        )])
        .why("It is a copy of a database, which can be shared or restored.")
        .look(&[
            "aws rds describe-db-snapshots --db-snapshot-identifier {snapshot}",
            "aws rds describe-db-snapshot-attributes --db-snapshot-identifier {snapshot}",
        ])
        .take_away(&["aws rds delete-db-snapshot --db-snapshot-identifier {snapshot}"])
        .source("RDS API Reference, CreateDBSnapshot, CopyDBSnapshot; Stratus Red Team rds-share-snapshot; ATT&CK T1578.001"),
    row(&["rds:CreateDBClusterSnapshot", "rds:CopyDBClusterSnapshot"], Takes, Thing::DatabaseSnapshot)
        .object(&[
            "out.dBClusterSnapshotArn",
            "in.targetDBClusterSnapshotIdentifier",
            "in.dBClusterSnapshotIdentifier",
        ])
        .names(&[(
            "snapshot",
            &[
                "out.dBClusterSnapshotIdentifier",
                "in.targetDBClusterSnapshotIdentifier",
                "in.dBClusterSnapshotIdentifier",
            ],
        )])
        .why("It is a copy of databases, which can be shared or restored.")
        .look(&["aws rds describe-db-cluster-snapshots --db-cluster-snapshot-identifier {snapshot}"])
        .take_away(&["aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier {snapshot}"])
        .source("RDS API Reference, CreateDBClusterSnapshot, CopyDBClusterSnapshot; ATT&CK T1578.001"),
    row(&["rds:StartExportTask"], Takes, Thing::Export)
        .object(&["in.exportTaskIdentifier"])
        .names(&[
            ("task", &["in.exportTaskIdentifier"]),
            ("source", &["in.sourceArn"]),
            ("bucket", &["in.s3BucketName"]),
        ])
        .why("A database is written to a bucket.")
        .look(&["aws rds describe-export-tasks --export-task-identifier {task}"])
        .take_away(&["aws rds cancel-export-task --export-task-identifier {task}"])
        .source("RDS API Reference, StartExportTask; Panther aws_rds_snapshot_export; ATT&CK T1537"),
    row(
        &["rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime"],
        Takes,
        Thing::Database,
    )
    .object(&["out.dBInstanceArn", "in.dBInstanceIdentifier", "in.targetDBInstanceIdentifier"])
    .names(&[("database", &["out.dBInstanceIdentifier", "in.dBInstanceIdentifier", "in.targetDBInstanceIdentifier"])])
    .why("It is a database with the same data, of which the thief may set the password and the network.")
    .look(&["aws rds describe-db-instances --db-instance-identifier {database}"])
    .take_away(&["aws rds delete-db-instance --db-instance-identifier {database} --skip-final-snapshot"])
    .source("RDS API Reference, RestoreDBInstanceFromDBSnapshot; SigmaHQ on RestoreDBInstanceFromDBSnapshot; ATT&CK T1578.002"),
    row(&["s3:PutBucketReplication"], Takes, Thing::Replication)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .principals(&["in.ReplicationConfiguration.Rule.*.Destination.Account"])
        .why("What is written to the bucket is copied to another one. An earlier configuration is in the templates.")
        .look(&["aws s3api get-bucket-replication --bucket {bucket}"])
        .take_away(&["aws s3api delete-bucket-replication --bucket {bucket}"])
        .needed_by("Those who use the copies, if the bucket was replicated before.")
        .source("S3 API Reference, PutBucketReplication; hackingthe.cloud, S3 Bucket Replication Exfiltration; ATT&CK T1537"),
];
