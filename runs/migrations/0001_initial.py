import django.db.models.deletion
import django.utils.timezone
import studio.core.folded
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_initial'),
        ('endpoints', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Experiment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='experiments', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('runs_made', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='experiment_unique_name')],
            },
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True)),
                ('role', models.CharField(choices=[('worker', 'worker'), ('control', 'control')], max_length=10)),
                ('host', models.CharField(max_length=200)),
                ('pid', models.PositiveIntegerField()),
                ('queues', models.JSONField(default=list)),
                ('is_named', models.BooleanField(default=False)),
                ('slots', models.PositiveIntegerField(default=1)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('heartbeat_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('stopping_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='core.workspace')),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='runs.experiment')),
                ('kind', models.CharField(choices=[('Pipeline', 'Pipeline'), ('Step', 'Step'), ('Child', 'Child'), ('Script', 'Script')], max_length=10)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='runs.run')),
                ('root', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tree', to='runs.run')),
                ('number', models.PositiveIntegerField(default=0)),
                ('status', models.CharField(choices=[('NotStarted', 'Not started'), ('Queued', 'Queued'), ('Preparing', 'Preparing'), ('Running', 'Running'), ('Finalizing', 'Finalizing'), ('CancelRequested', 'Cancel requested'), ('Completed', 'Completed'), ('Failed', 'Failed'), ('Canceled', 'Canceled'), ('NotResponding', 'Not responding'), ('Skipped', 'Skipped')], default='NotStarted', max_length=20)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('display_name', models.CharField(blank=True, max_length=255)),
                ('description', models.TextField(blank=True)),
                ('target', models.CharField(blank=True, max_length=64)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('pipeline', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='endpoints.publishedpipeline')),
                ('endpoint', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='endpoints.pipelineendpoint')),
                ('endpoint_version', models.PositiveIntegerField(blank=True, null=True)),
                ('schedule', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='endpoints.schedule')),
                ('idempotency_key', models.CharField(blank=True, max_length=100, null=True)),
                ('idempotency_digest', models.CharField(blank=True, max_length=64)),
                ('submitted_by', models.CharField(blank=True, max_length=150)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True)),
                ('error_code', models.CharField(blank=True, max_length=60)),
                ('error', models.TextField(blank=True)),
                ('folded', studio.core.folded.FoldedField(default='', editable=False, of=['display_name', 'name'])),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'kind', '-id'], name='run_newest'), models.Index(fields=['workspace', 'kind', 'status', '-id'], name='run_by_status'), models.Index(fields=['experiment', 'kind', '-id'], name='run_of_experiment'), models.Index(fields=['pipeline', '-id'], name='run_of_pipeline'), models.Index(fields=['endpoint', '-id'], name='run_of_endpoint'), models.Index(fields=['endpoint', 'status', '-id'], name='run_of_endpoint_by_status'), models.Index(condition=models.Q(('schedule__isnull', False)), fields=['schedule', '-id'], name='run_of_schedule'), models.Index(fields=['target', 'status', 'id'], name='run_queue'), models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['workspace', 'kind', '-id'], name='run_live')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('status__in', ['Canceled', 'Completed', 'Failed', 'Skipped'])), models.Q(('finished_at__isnull', True), ('status__in', ['CancelRequested', 'Finalizing', 'NotResponding', 'NotStarted', 'Preparing', 'Queued', 'Running'])), _connector='OR'), name='run_finished_iff_terminal'), models.UniqueConstraint(fields=('workspace', 'idempotency_key'), name='run_unique_idempotency_key')],
            },
        ),
        migrations.CreateModel(
            name='PipelineRun',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pipeline_run', serialize=False, to='runs.run')),
                ('graph', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pipeline_runs', to='endpoints.graph')),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('source', models.CharField(choices=[('Studio', 'Studio'), ('REST', 'REST'), ('SDK', 'SDK'), ('Schedule', 'Schedule'), ('Resubmit', 'Re-run')], default='REST', max_length=10)),
                ('run_source', models.CharField(blank=True, max_length=100)),
                ('run_type', models.CharField(blank=True, max_length=100)),
                ('original', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='resubmissions', to='runs.pipelinerun')),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('datasets', models.JSONField(blank=True, default=dict)),
                ('datapaths', models.JSONField(blank=True, default=dict)),
                ('provenance', models.JSONField(blank=True, default=dict)),
                ('warnings', models.JSONField(blank=True, default=list)),
                ('raw_request', models.JSONField(blank=True, default=dict)),
                ('continue_on_step_failure', models.BooleanField(default=False)),
                ('regenerate_outputs', models.BooleanField(default=False)),
                ('timeout_seconds', models.PositiveIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='StatusChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='status_changes', to='runs.run')),
                ('from_status', models.CharField(max_length=20)),
                ('to_status', models.CharField(max_length=20)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('reason', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name='RunAttribute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attributes', to='runs.run')),
                ('kind', models.CharField(choices=[('tag', 'tag'), ('parameter', 'parameter')], max_length=10)),
                ('key', models.CharField(max_length=255)),
                ('value', models.CharField(max_length=255)),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'key', 'value', '-run'], name='attribute_search')],
            },
        ),
        migrations.CreateModel(
            name='Metric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='metrics', to='runs.run')),
                ('name', models.CharField(max_length=255)),
                ('columns', models.JSONField(default=dict)),
                ('properties', models.JSONField(default=dict)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'name'), name='metric_unique_name')],
            },
        ),
        migrations.CreateModel(
            name='Artifact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='runs.run')),
                ('path', models.CharField(max_length=1000)),
                ('blob', models.CharField(max_length=1100)),
                ('size', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'path'), name='artifact_unique_path')],
            },
        ),
        migrations.CreateModel(
            name='Asset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assets', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('artifacts', models.JSONField(default=list)),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assets', to='runs.run')),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='StepRun',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='step', serialize=False, to='runs.run')),
                ('node_id', models.CharField(max_length=100)),
                ('module', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='endpoints.module')),
                ('needs', models.JSONField(blank=True, default=list)),
                ('inputs', models.JSONField(blank=True, default=dict)),
                ('outputs', models.JSONField(blank=True, default=dict)),
                ('fingerprint', models.CharField(blank=True, max_length=64)),
                ('fingerprint_parts', models.JSONField(blank=True, default=dict)),
                ('is_reuse_source', models.BooleanField(default=False)),
                ('reused_from', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reuses', to='runs.steprun')),
                ('reuse_reason', models.CharField(blank=True, max_length=500)),
                ('retries', models.PositiveSmallIntegerField(default=0)),
                ('retries_used', models.PositiveSmallIntegerField(default=0)),
                ('retry_delay_seconds', models.PositiveIntegerField(default=1)),
                ('timeout_seconds', models.PositiveIntegerField(blank=True, null=True)),
                ('not_before', models.DateTimeField(blank=True, null=True)),
                ('exit_code', models.IntegerField(blank=True, null=True)),
                ('warnings', models.JSONField(blank=True, default=list)),
            ],
            options={
                'indexes': [models.Index(fields=['fingerprint', 'is_reuse_source', '-run'], name='step_reuse')],
            },
        ),
        migrations.CreateModel(
            name='ScheduleTick',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('schedule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='ticks', to='endpoints.schedule')),
                ('due_at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('Fired', 'Fired'), ('Skipped', 'Skipped'), ('Failed', 'Failed')], max_length=10)),
                ('reason', models.TextField(blank=True)),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='ticks', to='runs.run')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'indexes': [models.Index(fields=['schedule', '-id'], name='tick_newest')],
                'constraints': [models.UniqueConstraint(fields=('schedule', 'due_at'), name='tick_unique_due')],
            },
        ),
        migrations.CreateModel(
            name='MetricValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='runs.metric')),
                ('point_uuid', models.UUIDField(default=uuid.uuid4)),
                ('step', models.BigIntegerField(blank=True, null=True)),
                ('data', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('created_at', 'id'),
                'indexes': [models.Index(fields=['metric', 'created_at', 'id'], name='metricvalue_in_order')],
            },
        ),
        migrations.CreateModel(
            name='RegisteredModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='registered_models', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('number', models.PositiveIntegerField()),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registered_models', to='runs.asset')),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='registered_models', to='runs.run')),
                ('description', models.TextField(blank=True)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('framework', models.CharField(blank=True, max_length=255)),
                ('details', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name', 'number'), name='registeredmodel_unique_number')],
            },
        ),
        migrations.CreateModel(
            name='StepAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('step', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='runs.steprun')),
                ('number', models.PositiveIntegerField()),
                ('worker', models.CharField(max_length=200)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('Completed', 'Completed'), ('Failed', 'Failed'), ('Canceled', 'Canceled'), ('TimedOut', 'Timed out'), ('Interrupted', 'Interrupted'), ('Lost', 'Lost')], max_length=12)),
                ('exit_code', models.IntegerField(blank=True, null=True)),
                ('error', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(fields=['worker', 'finished_at'], name='attempt_of_worker')],
                'constraints': [models.UniqueConstraint(fields=('step', 'number'), name='attempt_unique_number')],
            },
        ),
    ]
