AUDIT (name assert_positive, blokcing false);
