//! The numbers of proof types, as messages carry them, and the crates' names for them.

use anyhow::{bail, Result};
use filecoin_proofs_api::{RegisteredAggregationProof, RegisteredPoStProof, RegisteredSealProof, RegisteredUpdateProof};

/// The seal proofs by number.
pub fn seal_by_number(n: u64) -> Result<RegisteredSealProof> {
    use RegisteredSealProof::*;
    Ok(match n {
        0 => StackedDrg2KiBV1,
        1 => StackedDrg8MiBV1,
        2 => StackedDrg512MiBV1,
        3 => StackedDrg32GiBV1,
        4 => StackedDrg64GiBV1,
        5 => StackedDrg2KiBV1_1,
        6 => StackedDrg8MiBV1_1,
        7 => StackedDrg512MiBV1_1,
        8 => StackedDrg32GiBV1_1,
        9 => StackedDrg64GiBV1_1,
        10 => StackedDrg2KiBV1_1_Feat_SyntheticPoRep,
        11 => StackedDrg8MiBV1_1_Feat_SyntheticPoRep,
        12 => StackedDrg512MiBV1_1_Feat_SyntheticPoRep,
        13 => StackedDrg32GiBV1_1_Feat_SyntheticPoRep,
        14 => StackedDrg64GiBV1_1_Feat_SyntheticPoRep,
        15 => StackedDrg2KiBV1_2_Feat_NonInteractivePoRep,
        16 => StackedDrg8MiBV1_2_Feat_NonInteractivePoRep,
        17 => StackedDrg512MiBV1_2_Feat_NonInteractivePoRep,
        18 => StackedDrg32GiBV1_2_Feat_NonInteractivePoRep,
        19 => StackedDrg64GiBV1_2_Feat_NonInteractivePoRep,
        _ => bail!("no seal proof {n}"),
    })
}

/// The PoSt proofs by number.
pub fn post_by_number(n: u64) -> Result<RegisteredPoStProof> {
    use RegisteredPoStProof::*;
    Ok(match n {
        0 => StackedDrgWinning2KiBV1,
        1 => StackedDrgWinning8MiBV1,
        2 => StackedDrgWinning512MiBV1,
        3 => StackedDrgWinning32GiBV1,
        4 => StackedDrgWinning64GiBV1,
        5 => StackedDrgWindow2KiBV1,
        6 => StackedDrgWindow8MiBV1,
        7 => StackedDrgWindow512MiBV1,
        8 => StackedDrgWindow32GiBV1,
        9 => StackedDrgWindow64GiBV1,
        10 => StackedDrgWindow2KiBV1_2,
        11 => StackedDrgWindow8MiBV1_2,
        12 => StackedDrgWindow512MiBV1_2,
        13 => StackedDrgWindow32GiBV1_2,
        14 => StackedDrgWindow64GiBV1_2,
        _ => bail!("no PoSt proof {n}"),
    })
}

pub fn update_by_number(n: u64) -> Result<RegisteredUpdateProof> {
    use RegisteredUpdateProof::*;
    Ok(match n {
        0 => StackedDrg2KiBV1,
        1 => StackedDrg8MiBV1,
        2 => StackedDrg512MiBV1,
        3 => StackedDrg32GiBV1,
        4 => StackedDrg64GiBV1,
        _ => bail!("no update proof {n}"),
    })
}

pub fn aggregation_by_number(n: u64) -> Result<RegisteredAggregationProof> {
    Ok(match n {
        0 => RegisteredAggregationProof::SnarkPackV1,
        1 => RegisteredAggregationProof::SnarkPackV2,
        _ => bail!("no aggregation {n}"),
    })
}
