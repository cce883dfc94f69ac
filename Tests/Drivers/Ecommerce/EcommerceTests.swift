// Tries Ecommerce.
import Testing
