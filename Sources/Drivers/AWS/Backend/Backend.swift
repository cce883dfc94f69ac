// One deployment on AWS in one hand: its clients and ports, what has to be made for it, and whether it is sound.
