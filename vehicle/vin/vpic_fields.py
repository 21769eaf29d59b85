"""The facts taken from vPIC, table or service: its element names and ours."""

# vPIC element code -> (our name, element number in the table). Units stand in our names.
FIELDS = {
    "Make": ("make", 26),
    "Manufacturer": ("manufacturer", 27),
    "Model": ("model", 28),
    "Series": ("series", 34),
    "Trim": ("trim", 38),
    "VehicleType": ("vehicle_type", 39),
    "BodyClass": ("body_class", 5),
    "Doors": ("doors", 14),
    "DriveType": ("drive_type", 15),
    "GVWR": ("gross_weight_class", 25),
    "EngineModel": ("engine_model", 18),
    "EngineConfiguration": ("engine_configuration", 64),
    "EngineCylinders": ("engine_cylinders", 9),
    "DisplacementL": ("displacement_l", 13),
    "EngineKW": ("engine_power_kw", 21),
    "Turbo": ("turbo", 135),
    "FuelTypePrimary": ("fuel_type", 24),
    "FuelTypeSecondary": ("fuel_type_secondary", 66),
    "ElectrificationLevel": ("electrification", 126),
    "TransmissionStyle": ("transmission", 37),
    "TransmissionSpeeds": ("transmission_speeds", 63),
    "PlantCountry": ("plant_country", 75),
    "PlantState": ("plant_state", 77),
    "PlantCity": ("plant_city", 31),
}
