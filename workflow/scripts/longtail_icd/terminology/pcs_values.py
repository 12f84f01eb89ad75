"""Names of ICD-10-PCS values that its list of codes does not print (CMS, ICD-10-PCS 2024)."""

SECTIONS = {
    "0": "Medical and Surgical",
    "1": "Obstetrics",
    "2": "Placement",
    "3": "Administration",
    "4": "Measurement and Monitoring",
    "5": "Extracorporeal or Systemic Assistance and Performance",
    "6": "Extracorporeal or Systemic Therapies",
    "7": "Osteopathic",
    "8": "Other Procedures",
    "9": "Chiropractic",
    "B": "Imaging",
    "C": "Nuclear Medicine",
    "D": "Radiation Therapy",
    "F": "Physical Rehabilitation and Diagnostic Audiology",
    "G": "Mental Health",
    "H": "Substance Abuse Treatment",
    "X": "New Technology",
}

# Second characters. Of imaging, nuclear medicine, radiation therapy, rehabilitation and new
# technology none are given here: their headings are titled from the codes below them.
BODY_SYSTEMS = {
    "00": "Central Nervous System and Cranial Nerves",
    "01": "Peripheral Nervous System",
    "02": "Heart and Great Vessels",
    "03": "Upper Arteries",
    "04": "Lower Arteries",
    "05": "Upper Veins",
    "06": "Lower Veins",
    "07": "Lymphatic and Hemic Systems",
    "08": "Eye",
    "09": "Ear, Nose, Sinus",
    "0B": "Respiratory System",
    "0C": "Mouth and Throat",
    "0D": "Gastrointestinal System",
    "0F": "Hepatobiliary System and Pancreas",
    "0G": "Endocrine System",
    "0H": "Skin and Breast",
    "0J": "Subcutaneous Tissue and Fascia",
    "0K": "Muscles",
    "0L": "Tendons",
    "0M": "Bursae and Ligaments",
    "0N": "Head and Facial Bones",
    "0P": "Upper Bones",
    "0Q": "Lower Bones",
    "0R": "Upper Joints",
    "0S": "Lower Joints",
    "0T": "Urinary System",
    "0U": "Female Reproductive System",
    "0V": "Male Reproductive System",
    "0W": "Anatomical Regions, General",
    "0X": "Anatomical Regions, Upper Extremities",
    "0Y": "Anatomical Regions, Lower Extremities",
    "10": "Pregnancy",
    "2W": "Anatomical Regions",
    "2Y": "Anatomical Orifices",
    "30": "Circulatory",
    "3C": "Indwelling Device",
    "3E": "Physiological Systems and Anatomical Regions",
    "4A": "Physiological Systems",
    "4B": "Physiological Devices",
    "5A": "Physiological Systems",
    "6A": "Physiological Systems",
    "7W": "Anatomical Regions",
    "8C": "Indwelling Device",
    "8E": "Physiological Systems and Anatomical Regions",
    "9W": "Anatomical Regions",
}

# Third characters of section 0, its root operations. Every title of a code begins with its own.
ROOT_OPERATIONS = {
    "0": "Alteration",
    "1": "Bypass",
    "2": "Change",
    "3": "Control",
    "4": "Creation",
    "5": "Destruction",
    "6": "Detachment",
    "7": "Dilation",
    "8": "Division",
    "9": "Drainage",
    "B": "Excision",
    "C": "Extirpation",
    "D": "Extraction",
    "F": "Fragmentation",
    "G": "Fusion",
    "H": "Insertion",
    "J": "Inspection",
    "K": "Map",
    "L": "Occlusion",
    "M": "Reattachment",
    "N": "Release",
    "P": "Removal",
    "Q": "Repair",
    "R": "Replacement",
    "S": "Reposition",
    "T": "Resection",
    "U": "Supplement",
    "V": "Restriction",
    "W": "Revision",
    "X": "Transfer",
    "Y": "Transplantation",
}


def value_titles() -> dict[str, str]:
    """Return titles of ICD-10-PCS headings from its values, by code.

    Before: body system ``0D`` and operation ``T``. After: ``0D`` Gastrointestinal System, ``0DT``
    Resection.
    """
    operations = {
        f"{system}{value}": name
        for system in BODY_SYSTEMS
        if system.startswith("0")
        for value, name in ROOT_OPERATIONS.items()
    }
    return BODY_SYSTEMS | operations
