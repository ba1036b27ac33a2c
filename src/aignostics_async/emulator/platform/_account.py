"""Who asks: one user of one organization, who submits every run but those of scripts for other users."""

ORGANIZATION = "emulator"
USER = "emulator|developer"
USER_EMAIL = "developer@emulator.example"
USER_NAME = "Emulated Developer"
ORGANIZATION_NAME = "Emulated Pathology"
BUCKET = "emulator-bucket"
