"""What can happen to a parcel: each kind moves sheets, tears them, paints them and marks its texels."""

from models.scenes.blender.damage.base import Damage

__all__ = ["Damage"]
