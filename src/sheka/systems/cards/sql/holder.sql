-- Whose card is this, may it be used, and of which kind is it? As before, with the kind: limits of payments ask for it (S4).
DROP FUNCTION cards_holder(text);
CREATE FUNCTION cards_holder(card_number text)
RETURNS TABLE (card_id bigint, person_id bigint, state text, specification text, card_class text)
LANGUAGE sql STABLE AS $$
    SELECT card.id, card.person_id, card.state::text, card.specification::text, card.card_class::text
    FROM cards_card AS card WHERE card.number = card_number
$$;
