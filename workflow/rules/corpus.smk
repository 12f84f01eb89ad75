# Raw hospital tables to one canonical corpus, split by patient.


rule simulate_hospital:
    input:
        ranges="resources/icd9_ranges.csv",
        prose="resources/hospital_prose.yaml",
    output:
        notes="<results>/corpus/hospital/NOTEEVENTS.csv.gz",
        diagnoses="<results>/corpus/hospital/DIAGNOSES_ICD.csv.gz",
        procedures="<results>/corpus/hospital/PROCEDURES_ICD.csv.gz",
        diagnosis_titles="<results>/corpus/hospital/D_ICD_DIAGNOSES.csv.gz",
        procedure_titles="<results>/corpus/hospital/D_ICD_PROCEDURES.csv.gz",
        admissions="<results>/corpus/hospital/ADMISSIONS.csv.gz",
        patients="<results>/corpus/hospital/PATIENTS.csv.gz",
    log:
        "<logs>/corpus/simulate_hospital.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("corpus", "simulate_hospital"),
        simulation=config["corpus"]["simulation"],
    script:
        "../scripts/simulate_hospital.py"
