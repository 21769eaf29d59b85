"""The log formats that are understood, by the name a caller can give."""

FORMATS = {
    "torque": "Torque Pro CSV",
    "car_scanner": "Car Scanner CSV",
    "obd_auto_doctor": "OBD Auto Doctor CSV",
    "carobd": "carOBD CSV",
    "csv": "plain CSV with units in its headings",
    "mf4": "ASAM MDF 4",
    "candump": "candump text",
    "openxc": "OpenXC JSON lines",
    "kw330": "KW330 data stream",
}
