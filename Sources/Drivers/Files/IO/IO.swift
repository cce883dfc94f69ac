// Files and folders as the kernel knows them, on threads that may wait.
import Glibc
