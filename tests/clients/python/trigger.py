"""A caller in Python: one POST with a bearer header. Usage: trigger.py URL TOKEN EXPERIMENT VALUE"""

import sys

import requests

rest_endpoint, token, experiment, value = sys.argv[1:5]
aad_token = {"Authorization": f"Bearer {token}"}
response = requests.post(
    rest_endpoint,
    headers=aad_token,
    json={"ExperimentName": experiment, "ParameterAssignments": {"pipeline_arg": int(value)}},
    timeout=30,
)
response.raise_for_status()
sys.stdout.write(response.json()["Id"] + "\n")
