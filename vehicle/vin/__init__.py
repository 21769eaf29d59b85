"""VINs: check digit, year, maker and, with a table or online, the model."""

from vehicle.vin.decode import decode_vin
from vehicle.vin.errors import BadVinError, VinServiceError, VinTableError
from vehicle.vin.models import VinAnswer, VinField

__all__ = ["BadVinError", "VinAnswer", "VinField", "VinServiceError", "VinTableError", "decode_vin"]
