"""Short forms that are written at every bedside, and wordings that are shortened by them.

The public classifications write everything out: fewer than one of 200 codes has an abbreviation
among its synonyms.
"""

import re

# Our own list of what is in general use; phrase in lower case → short form.
SHORT_FORMS = {
    "abdominal aortic aneurysm": "AAA",
    "acute kidney failure": "AKI",
    "acute kidney injury": "AKI",
    "acute lymphoblastic leukemia": "ALL",
    "acute myeloid leukemia": "AML",
    "acute renal failure": "ARF",
    "acute respiratory distress syndrome": "ARDS",
    "aortic valve": "AV",
    "aortic valve replacement": "AVR",
    "aortocoronary bypass": "CABG",
    "atrial fibrillation": "AF",
    "atrial septal defect": "ASD",
    "benign prostatic hyperplasia": "BPH",
    "bilateral": "b/l",
    "carcinoma": "CA",
    "central nervous system": "CNS",
    "central venous catheter": "CVC",
    "cerebrovascular accident": "CVA",
    "chronic kidney disease": "CKD",
    "chronic lymphocytic leukemia": "CLL",
    "chronic obstructive pulmonary disease": "COPD",
    "clostridium difficile": "C diff",
    "computerized axial tomography": "CT",
    "congestive heart failure": "CHF",
    "continuous positive airway pressure": "CPAP",
    "coronary artery bypass graft": "CABG",
    "coronary artery disease": "CAD",
    "coronary atherosclerosis": "CAD",
    "cytomegalovirus": "CMV",
    "deep vein thrombosis": "DVT",
    "deep venous thrombosis": "DVT",
    "diabetes mellitus": "DM",
    "diabetic ketoacidosis": "DKA",
    "end stage renal disease": "ESRD",
    "endoscopic retrograde cholangiopancreatography": "ERCP",
    "epstein-barr virus": "EBV",
    "esophagogastroduodenoscopy": "EGD",
    "fracture": "fx",
    "gastro-esophageal reflux disease": "GERD",
    "gastroesophageal reflux disease": "GERD",
    "gastrointestinal": "GI",
    "heart failure": "HF",
    "hemodialysis": "HD",
    "hepatitis b": "HBV",
    "hepatitis c": "HCV",
    "herpes simplex": "HSV",
    "history of": "h/o",
    "human immunodeficiency virus": "HIV",
    "hypertension": "HTN",
    "idiopathic thrombocytopenic purpura": "ITP",
    "inflammatory bowel disease": "IBD",
    "intracerebral hemorrhage": "ICH",
    "irritable bowel syndrome": "IBS",
    "left bundle branch block": "LBBB",
    "lumbar puncture": "LP",
    "magnetic resonance imaging": "MRI",
    "malignant neoplasm": "CA",
    "methicillin resistant staphylococcus aureus": "MRSA",
    "methicillin susceptible staphylococcus aureus": "MSSA",
    "mitral valve": "MV",
    "multiple sclerosis": "MS",
    "myocardial infarction": "MI",
    "obstructive sleep apnea": "OSA",
    "parenteral nutrition": "TPN",
    "patent ductus arteriosus": "PDA",
    "patent foramen ovale": "PFO",
    "percutaneous transluminal coronary angioplasty": "PTCA",
    "peripheral vascular disease": "PVD",
    "pneumonia": "PNA",
    "posttraumatic stress disorder": "PTSD",
    "pulmonary embolism": "PE",
    "renal cell carcinoma": "RCC",
    "respiratory syncytial virus": "RSV",
    "rheumatoid arthritis": "RA",
    "right bundle branch block": "RBBB",
    "squamous cell carcinoma": "SCC",
    "subarachnoid hemorrhage": "SAH",
    "subdural hematoma": "SDH",
    "supraventricular tachycardia": "SVT",
    "systemic lupus erythematosus": "SLE",
    "transient ischemic attack": "TIA",
    "traumatic brain injury": "TBI",
    "tuberculosis": "TB",
    "type 1 diabetes mellitus": "T1DM",
    "type 2 diabetes mellitus": "T2DM",
    "urinary tract infection": "UTI",
    "venous thromboembolism": "VTE",
    "ventricular fibrillation": "VF",
    "ventricular septal defect": "VSD",
    "ventricular tachycardia": "VT",
}
_LONGEST_FIRST = sorted(SHORT_FORMS, key=lambda phrase: (-len(phrase), phrase))
_PHRASE = re.compile(rf"\b(?:{'|'.join(map(re.escape, _LONGEST_FIRST))})\b", re.IGNORECASE)


def shortened(wording: str) -> str | None:
    """Return a wording with its known phrases shortened, or None if there are none.

    Before: ``acute on chronic systolic heart failure``. After: ``acute on chronic systolic HF``.
    """
    short = _PHRASE.sub(lambda found: SHORT_FORMS[found[0].lower()], wording)
    return short if short != wording else None
