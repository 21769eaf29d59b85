"""VINs: check digit, year, maker and, with a table or online, the model."""

from vehicle.vin.decode import decode_vin
from vehicle.vin.errors import BadVinError, NoVinTableError, VinServiceError, VinTableError
from vehicle.vin.models import CheckDigit, ModelYear, Source, VinAnswer, VinField
from vehicle.vin.online import decode_vin_online, http_fetch

__all__ = [
    "BadVinError",
    "CheckDigit",
    "ModelYear",
    "NoVinTableError",
    "Source",
    "VinAnswer",
    "VinField",
    "VinServiceError",
    "VinTableError",
    "decode_vin",
    "decode_vin_online",
    "http_fetch",
]
