import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import studio.core.db.folded
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='datasets', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('is_visible', models.BooleanField(default=True)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('folded', studio.core.db.folded.FoldedField(default='', editable=False, of=['name', 'description'])),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='dataset_unique_name', violation_error_message='A dataset of this name exists already.')],
            },
        ),
        migrations.CreateModel(
            name='Datastore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='datastores', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('url', models.CharField(blank=True, max_length=1000)),
                ('store_type', models.CharField(default='AzureBlob', max_length=40)),
                ('is_default', models.BooleanField(default=False)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='datastore_unique_name', violation_error_message='A datastore of this name exists already.'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('workspace',), name='datastore_one_default')],
            },
        ),
        migrations.CreateModel(
            name='DataSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='data_sources', to='core.workspace')),
                ('name', models.CharField(blank=True, max_length=255)),
                ('identifier_hash', models.CharField(blank=True, max_length=200)),
                ('datastore', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='endpoints.datastore')),
                ('relative_path', models.CharField(blank=True, max_length=1000)),
                ('wire', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'identifier_hash'], name='datasource_hash')],
            },
        ),
        migrations.CreateModel(
            name='Environment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='environments', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='environment_unique_name')],
            },
        ),
        migrations.CreateModel(
            name='EnvironmentVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='endpoints.environment')),
                ('number', models.PositiveIntegerField()),
                ('definition', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('environment', 'number'), name='environmentversion_unique_number')],
            },
        ),
        migrations.CreateModel(
            name='Graph',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='graphs', to='core.workspace')),
                ('wire', models.JSONField()),
                ('interface', models.JSONField(default=dict)),
                ('dataset_defaults', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='NamedModule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('etag', models.UUIDField(default=uuid.uuid4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_by', models.CharField(blank=True, max_length=150)),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('Active', 'Active'), ('Deprecated', 'Deprecated'), ('Disabled', 'Disabled')], default='Active', max_length=10)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='named_module_unique_name')],
            },
        ),
        migrations.CreateModel(
            name='PipelineEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('etag', models.UUIDField(default=uuid.uuid4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_by', models.CharField(blank=True, max_length=150)),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('Active', 'Active'), ('Disabled', 'Disabled')], default='Active', max_length=10)),
                ('is_public', models.BooleanField(default=False)),
                ('is_strict', models.BooleanField(default=False)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('folded', studio.core.db.folded.FoldedField(default='', editable=False, of=['name', 'description', 'created_by', 'updated_by', 'tags'])),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='endpoint_unique_name', violation_error_message='A pipeline endpoint of this name exists already.')],
            },
        ),
        migrations.CreateModel(
            name='PublishedPipeline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('etag', models.UUIDField(default=uuid.uuid4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_by', models.CharField(blank=True, max_length=150)),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='core.workspace')),
                ('graph', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pipelines', to='endpoints.graph')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('version', models.CharField(blank=True, max_length=100)),
                ('step_count', models.PositiveIntegerField(default=0)),
                ('continue_on_step_failure', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('Active', 'Active'), ('Disabled', 'Disabled')], default='Active', max_length=10)),
                ('parameter_defaults', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('source_run_uuid', models.UUIDField(blank=True, null=True)),
                ('folded', studio.core.db.folded.FoldedField(default='', editable=False, of=['name', 'description', 'created_by', 'updated_by', 'properties'])),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', '-id'], name='pipeline_newest')],
            },
        ),
        migrations.CreateModel(
            name='EndpointVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='endpoints.pipelineendpoint')),
                ('number', models.PositiveIntegerField()),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='endpoint_versions', to='endpoints.publishedpipeline')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('added_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'number'), name='version_unique_number'), models.UniqueConstraint(fields=('endpoint', 'pipeline'), name='version_unique_pipeline', violation_error_message='This pipeline is already a version of the endpoint.')],
            },
        ),
        migrations.AddField(
            model_name='pipelineendpoint',
            name='default_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='default_of', to='endpoints.endpointversion'),
        ),
        migrations.CreateModel(
            name='SavedDataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_datasets', to='core.workspace')),
                ('dataset_type', models.CharField(choices=[('tabular', 'Tabular'), ('file', 'File')], max_length=10)),
                ('dataflow', models.TextField()),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
            ],
        ),
        migrations.CreateModel(
            name='DatasetVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dataset', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='endpoints.dataset')),
                ('number', models.PositiveIntegerField()),
                ('saved', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registrations', to='endpoints.saveddataset')),
                ('description', models.TextField(blank=True)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
                ('attempt', models.CharField(blank=True, db_index=True, max_length=50)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('dataset', 'number'), name='datasetversion_unique_number')],
            },
        ),
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='snapshots', to='core.workspace')),
                ('files', models.JSONField(default=dict)),
                ('wire_tree', models.JSONField(blank=True, null=True)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('content_hash', models.CharField(db_index=True, max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Module',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='modules', to='core.workspace')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('identifier_hash', models.CharField(blank=True, max_length=200)),
                ('is_deterministic', models.BooleanField(default=True)),
                ('execution_type', models.CharField(blank=True, default='escloud', max_length=40)),
                ('module_type', models.CharField(blank=True, max_length=40)),
                ('step_type', models.CharField(default='PythonScriptStep', max_length=60)),
                ('structured_interface', models.JSONField(default=dict)),
                ('runconfig', models.TextField(blank=True)),
                ('cloud_settings', models.JSONField(blank=True, null=True)),
                ('storage_id', models.CharField(blank=True, max_length=100)),
                ('snapshot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='modules', to='endpoints.snapshot')),
                ('is_interface_only', models.BooleanField(default=False)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'identifier_hash', '-id'], name='module_hash')],
            },
        ),
        migrations.CreateModel(
            name='ModuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('etag', models.UUIDField(default=uuid.uuid4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(blank=True, max_length=150)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_by', models.CharField(blank=True, max_length=150)),
                ('named_module', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='endpoints.namedmodule')),
                ('module', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='named_version', to='endpoints.module')),
                ('version', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('category', models.CharField(blank=True, max_length=255)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('status', models.CharField(choices=[('Active', 'Active'), ('Deprecated', 'Deprecated'), ('Disabled', 'Disabled')], default='Active', max_length=10)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('named_module', 'version'), name='module_version_unique')],
            },
        ),
        migrations.AddField(
            model_name='namedmodule',
            name='default_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='default_of', to='endpoints.moduleversion'),
        ),
        migrations.CreateModel(
            name='ComputeTarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='compute_targets', to='core.workspace')),
                ('name', models.CharField(max_length=64, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$', 'Use 1-64 letters, digits, dashes and underscores, starting with a letter or digit.')])),
                ('description', models.TextField(blank=True)),
                ('compute_type', models.CharField(default='AmlCompute', max_length=40)),
                ('vm_size', models.CharField(blank=True, default='STANDARD_LOCAL', max_length=64)),
                ('wire', models.JSONField(blank=True, default=dict)),
                ('tags', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='compute_unique_name', violation_error_message='A compute target of this name exists already.'), models.CheckConstraint(condition=models.Q(('name', 'control'), _negated=True), name='compute_not_control', violation_error_message="`control` is the studio's own queue; choose another name.")],
            },
        ),
    ]
