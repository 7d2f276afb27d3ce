"""Who works in the demo workspace. It exists to be tried out, on this machine only."""

PASSWORD = "follow-the-sun"  # noqa: S105

# (name, address, time zone)
CAST = (
    ("Olga Serova", "olga@demo.example", "Asia/Almaty"),
    ("Amina Njoroge", "amina@demo.example", "Africa/Nairobi"),
    ("Diego Paredes", "diego@demo.example", "America/Lima"),
    ("Mele Tupou", "mele@demo.example", "Pacific/Auckland"),
)
