"""Which files a simulated hospital has. Imports nothing heavy: rules ask while they are parsed."""

MIMIC3 = (
    "NOTEEVENTS",
    "DIAGNOSES_ICD",
    "PROCEDURES_ICD",
    "D_ICD_DIAGNOSES",
    "D_ICD_PROCEDURES",
    "ADMISSIONS",
    "PATIENTS",
)
MIMIC4_HOSP = (
    "diagnoses_icd",
    "procedures_icd",
    "d_icd_diagnoses",
    "d_icd_procedures",
    "admissions",
    "patients",
)


def hospital_files(layout: str) -> dict[str, str]:
    """Return each table's path inside the hospital's folder, the notes' first.

    Args:
        layout: ``mimic3`` (version 1.4) or ``mimic4`` (versions 2.2 and 3.1, which have the same
            columns in these tables, with the notes of MIMIC-IV-Note 2.2 beside them).
    """
    if layout == "mimic3":
        return {name: f"{name}.csv.gz" for name in MIMIC3}
    hosp = {name: f"hosp/{name}.csv.gz" for name in MIMIC4_HOSP}
    return {"discharge": "note/discharge.csv.gz", **hosp}
