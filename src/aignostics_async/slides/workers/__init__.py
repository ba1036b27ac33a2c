"""Reading slides in processes of their own, because native readers may crash or hang.

`_prober` starts them, `_worker` is their program, and `_probed_slide` what they return.
"""
